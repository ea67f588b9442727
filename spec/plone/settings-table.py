"""Reads JSON from stdin: the texts of zope.conf and wsgi.ini, and a list of environments; answers for each, without a Plone."""

import json
import sys

from oci_plone import failure, settings, wsgi_ini, zconfig_text, zope_conf

asked = json.load(sys.stdin)
answers = []
for environment in asked["environments"]:
    try:
        read = settings.read_settings(environment)
        root = zope_conf.configure(asked["zopeConf"], read, "/data")
        needs = zope_conf.needs(root, "/data", environment)
        answers.append(
            {
                "zopeConf": zconfig_text.render(root),
                "wsgiIni": wsgi_ini.configure(asked["wsgiIni"], "/opt", port=read.listen_port),
                "notes": read.notes,
                "site": {**vars(read.site), "atStart": read.site_at_start},
                "wait": read.wait,
                "needs": {
                    "folders": [[path, oct(mode)] for path, mode in needs.folders],
                    "filestorages": needs.filestorages,
                    "zeo": needs.zeo,
                    "postgresql": needs.postgresql,
                },
            }
        )
    except failure.Failure as refused:
        answers.append({"failure": refused.code, "text": failure.scrub(f"{refused.message} {refused.hint}")})
json.dump(answers, sys.stdout)
