"""What is lost without a word, since nothing outside a process tells of it, or nobody but the kernel can set it."""

from groups.local import Credentials

KINDS = [Credentials]
