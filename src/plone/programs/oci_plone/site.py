"""A Plone site, made once: by create-site, and by start where SITE says so. The same for Plone 6.0 and 6.1 and later."""

import logging
from inspect import signature

from . import application
from .failure import Failure, say

#: Plone 6.0 has no distributions; these are the profiles that its own form applies.
_PROFILES = {
    "classic": ("plone.app.caching:default", "plonetheme.barceloneta:default"),
    "volto": ("plone.app.caching:default", "plonetheme.barceloneta:default", "plone.volto:default"),
}
_VOLTO_CONTENT = "plone.volto:default-homepage"
#: Theirs are warnings about every new site, which nobody can do anything about.
_NOISE = ("GenericSetup.componentregistry", "Products.MimetypesRegistry.MimeTypesRegistry")


def create(app, wanted, owner):
    """
    Creates it, unless it is there. Gives True when it was made. Another container may do the same at the same moment: who
    loses the conflict finds the other's site.
    """
    import transaction
    from ZODB.POSException import ConflictError

    for name in _NOISE:
        logging.getLogger(name).setLevel(logging.ERROR)
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

    # Everything that can be wrong is found before anything is deleted or made.
    from Products.CMFPlone.factory import addPloneSite

    if wanted.id in app.objectIds() and not replace:
        say(f"There is a site {wanted.id} already")
        return False
    choose = _distribution if "distribution_name" in signature(addPloneSite).parameters else _extensions
    type_, arguments = choose(wanted)
    profiles = [_known_profile(name) for name in wanted.profiles]

    if wanted.id in app.objectIds():
        say(f"Deleting the site {wanted.id}")
        app.manage_delObjects([wanted.id])
        transaction.commit()
    say(f"Creating the site {wanted.id} ({type_})")
    try:
        _make(app, wanted, profiles, {**arguments, "title": wanted.title or "Plone site"})
    except Exception as error:
        _undo(app, wanted.id, error)
        raise
    return True


def _make(app, wanted, profiles, arguments):
    import transaction
    from Products.CMFPlone.factory import addPloneSite

    site = addPloneSite(
        app,
        wanted.id,
        setup_content=wanted.content,
        default_language=wanted.language,
        portal_timezone=wanted.timezone,
        **arguments,
    )
    if wanted.title:
        site.title = wanted.title  # a distribution's content brings a title of its own
    for profile in profiles:
        site.portal_setup.runAllImportStepsFromProfile(f"profile-{profile}")
    transaction.get().note(f"Created the site {wanted.id}")
    transaction.commit()


def _undo(app, id_, error):
    """A distribution commits on its way; half a site would be taken for a whole one by the next start."""
    import transaction
    from ZODB.POSException import ConflictError

    transaction.abort()
    app._p_jar.sync()
    if id_ in app.objectIds() and not isinstance(error, ConflictError):
        app.manage_delObjects([id_])
        transaction.commit()


def _known_profile(name):
    from Products.GenericSetup import profile_registry

    name = name[len("profile-") :] if name.startswith("profile-") else name
    if not any(profile["id"] == name for profile in profile_registry.listProfileInfo()):
        raise Failure("REQUEST_REFUSED", f"There is no profile {name}.", "Is its egg in this image?")
    return name


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
