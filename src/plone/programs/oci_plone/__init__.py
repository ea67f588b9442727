"""What the programs of an oci-plone image share. Python 3.9 or later, the standard library, and what Plone brings."""
