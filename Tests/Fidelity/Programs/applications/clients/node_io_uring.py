from .node import Client
