"""`create-site`: a site by arguments, or by the names of plone/plone-backend's environment."""

import argparse
from dataclasses import replace

from . import application, process, site


def main(arguments, type_=None):
    process.stop_on_signals()
    options = _parse(arguments)
    plone = application.Application()
    wanted = plone.settings.site
    given = {name: value for name, value in vars(options).items() if value is not None}
    if options.profiles is not None:
        given["profiles"] = tuple(options.profiles)
    wanted = replace(wanted, **{**({"type": type_} if type_ else {}), **given})
    try:
        app = plone.open()
        try:
            if site.create(app, wanted, plone.image.user):
                print(f"/{wanted.id}", flush=True)
        finally:
            application.release(app)
    finally:
        application.close_databases()
    return 0


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="create-site", description="Creates a Plone site, unless it is there.")
    parser.add_argument("id", nargs="?", help="its id, the first part of its path (SITE_ID, SITE; default: Plone)")
    parser.add_argument("--title", help="(SITE_TITLE)")
    parser.add_argument("--type", help="volto, classic or another distribution (DISTRIBUTION, TYPE; default: volto)")
    parser.add_argument("--language", help="such as en or pt-br (SITE_DEFAULT_LANGUAGE; default: en)")
    parser.add_argument("--timezone", help="such as Europe/Helsinki (TIMEZONE; default: UTC)")
    parser.add_argument("--profile", action="append", dest="profiles", help="apply this profile, too (PROFILES)")
    parser.add_argument("--no-content", action="store_const", const=False, dest="content", help="(SETUP_CONTENT=off)")
    parser.add_argument(
        "--delete-existing", action="store_const", const=True, help="create it anew (DELETE_EXISTING=on)"
    )
    return parser.parse_args(arguments)
