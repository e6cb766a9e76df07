from .client import Counted as Client
