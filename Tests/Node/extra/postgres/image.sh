# Postgres on 5432, which has its databases in the container, and psql. Sourced by extra.sh.
packages='base-files busybox-static postgresql-17 postgresql-client-17'
# The compiler of queries: five times what the rest is.
excluded=(
    '/usr/lib/*/libLLVM*' '/usr/lib/*/libz3*' '/usr/lib/postgresql/*/lib/bitcode/*' '/usr/lib/postgresql/*/lib/llvmjit*'
    '/usr/lib/*/gconv/*' '/usr/lib/*/perl*' '/usr/bin/perl*' '/usr/lib/*/libperl*'
)
config='{"Cmd": ["start-postgres"], "User": "70:70", "Env": ["PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin"]}'

fill() {
    cp "$here/extra/postgres/start-postgres" "$1/usr/bin/"
    printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'postgres:x:70:70:postgres:/tmp:/bin/sh' >"$1/etc/passwd"
    printf '%s\n' 'root:x:0:' 'postgres:x:70:' >"$1/etc/group"
}
