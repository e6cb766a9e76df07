"""What is lost without a word, since nobody but the kernel can set it."""

from groups.local import Credentials

KINDS = [Credentials]
