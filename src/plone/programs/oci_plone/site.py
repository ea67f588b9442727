"""A Plone site, made once: by create-site, and by start where SITE says so. The same for Plone 6.0 and 6.1 and later."""

from inspect import signature

from . import application
from .failure import Failure, say

#: Plone 6.0 has no distributions; these are the profiles that its own form applies.
_PROFILES = {
    "classic": ("plone.app.caching:default", "plonetheme.barceloneta:default"),
    "volto": ("plone.app.caching:default", "plonetheme.barceloneta:default", "plone.volto:default"),
}
_VOLTO_CONTENT = "plone.volto:default-homepage"


def create(app, wanted, owner):
    """
    Creates it, unless it is there. Gives True when it was made. Another container may do the same at the same moment: who
    loses the conflict finds the other's site.
    """
    import transaction
    from ZODB.POSException import ConflictError

    for attempt in range(3):
        try:
            application.become(app, owner)
            return _create(app, wanted, replace=wanted.delete_existing and attempt == 0)
        except ConflictError:
            transaction.abort()
            app._p_jar.sync()
    raise Failure("REQUEST_REFUSED", f"The site {wanted.id} is being created by others all the time.")


def _create(app, wanted, replace):
    import transaction
    from Products.CMFPlone.factory import addPloneSite

    if wanted.id in app.objectIds():
        if not replace:
            say(f"There is a site {wanted.id} already")
            return False
        app.manage_delObjects([wanted.id])
        say(f"Deleting the site {wanted.id}")

    if "distribution_name" in signature(addPloneSite).parameters:
        type_, arguments = _distribution(wanted)
    else:
        type_, arguments = _extensions(wanted)
    say(f"Creating the site {wanted.id} ({type_})")
    site = addPloneSite(
        app,
        wanted.id,
        title=wanted.title,
        setup_content=wanted.content,
        default_language=wanted.language,
        portal_timezone=wanted.timezone,
        **arguments,
    )
    for profile in wanted.profiles:
        _apply(site, profile)
    transaction.get().note(f"Created the site {wanted.id}")
    transaction.commit()
    return True


def _apply(site, profile):
    name = profile[len("profile-") :] if profile.startswith("profile-") else profile
    if not site.portal_setup.profileExists(name):
        raise Failure("REQUEST_REFUSED", f"PROFILES: there is no profile {name}.", "Is its egg in this image?")
    site.portal_setup.runAllImportStepsFromProfile(f"profile-{name}")


def _distribution(wanted):
    from plone.distribution.api import distribution

    names = [one.name for one in distribution.get_distributions()]
    type_ = _choose(wanted.type, names)
    return type_, {"distribution_name": type_}


def _extensions(wanted):
    from Products.GenericSetup import EXTENSION, profile_registry

    known = {profile["id"] for profile in profile_registry.listProfileInfo() if profile["type"] == EXTENSION}
    names = [name for name, profiles in _PROFILES.items() if known.issuperset(profiles)]
    type_ = _choose(wanted.type, names)
    extra = (_VOLTO_CONTENT,) if type_ == "volto" and wanted.content else ()
    return type_, {"extension_ids": _PROFILES[type_] + extra}


def _choose(wanted, names):
    """plone/plone-backend makes a Volto site where nothing else is asked for."""
    if wanted == "default" and "default" not in names:
        wanted = next((name for name in ("volto", "classic") if name in names), wanted)
    if wanted not in names:
        raise Failure("REQUEST_REFUSED", f"There is no site type {wanted}.", f"This image has: {', '.join(names)}.")
    return wanted
