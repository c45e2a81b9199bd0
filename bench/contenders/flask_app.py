# A Flask app that posts to the upstream using requests and a cached token, over keep-alive connections, with one session per thread.
import os
import threading

import requests
from flask import Flask, request

app = Flask(__name__)
upstream = os.environ["UPSTREAM"]
token = os.environ["TOKEN"]
local = threading.local()


def session():
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.headers["Authorization"] = f"Bearer {token}"
    return local.session


@app.post("/graphql")
def graphql():
    body = request.get_json()
    response = session().post(upstream, json={"query": body["query"], "variables": body.get("variables")}, timeout=30)
    return response.json(), response.status_code
