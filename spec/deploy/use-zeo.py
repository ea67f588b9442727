"""Writes an object and a blob through one client of a ZEO server, and reads them through another."""

import sys
import time

import ZEO
from ZODB.blob import Blob

address, folder = ("127.0.0.1", int(sys.argv[1])), sys.argv[2]
one, other = (ZEO.DB(address, blob_dir=f"{folder}/{name}") for name in ("one", "other"))
with one.transaction() as connection:
    connection.root.page = {"title": "Hello"}
    connection.root.picture = Blob(b"a blob")
# The server tells the other client, a moment later.
while True:
    with other.transaction() as connection:
        if "page" in connection.root():
            break
    time.sleep(0.01)
with other.transaction() as connection:
    print(connection.root.page["title"], connection.root.picture.open().read().decode())
one.close()
other.close()
