# What Tests/Applications tries, all of it in one layer, and the libraries of its clients. Sourced by extra.sh.
packages='base-files busybox-static bash apache2-bin caddy celery erlang-base gcc gunicorn haproxy mosquitto mosquitto-clients nginx
    nodejs openjdk-21-jdk-headless openssh-client openssh-server php8.4-fpm postgresql-17 postgresql-client-17 puma
    python3 python3-celery python3-pika python3-paho-mqtt python3-redis python3-watchdog rabbitmq-server redis-server
    supervisor tzdata varnish'
packages=$(echo $packages)
# What none of them needs to run: compilers but the one of C, which Varnish has, debuggers, data of other languages.
excluded=(
    '/usr/lib/*/libLLVM*' '/usr/lib/*/libz3*' '/usr/lib/postgresql/*/lib/bitcode/*' '/usr/lib/postgresql/*/lib/llvmjit*'
    '/usr/lib/*/gconv/*' '/usr/lib/jvm/*/jmods/*' '/usr/lib/jvm/*/lib/ct.sym' '/usr/libexec/gcc/*/lto*'
    '/usr/lib/gcc/*/lto1' '/usr/lib/llvm*' '/usr/include/node/*' '/usr/share/fonts/*'
    '/usr/share/icons/*'
)
config='{"Cmd": ["sh"], "Env": ["PATH=/usr/lib/postgresql/17/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"]}'

fill() {
    local user users=(root:0 daemon:1 www-data:33 postgres:70 rabbitmq:71 mosquitto:72 sshd:73 nobody:65534)
    for user in "${users[@]}"; do
        echo "${user%:*}:x:${user#*:}:${user#*:}:${user%:*}:/root:/bin/bash" >>"$1/etc/passwd.new"
        echo "${user%:*}:x:${user#*:}:" >>"$1/etc/group.new"
    done
    mv "$1/etc/passwd.new" "$1/etc/passwd"
    mv "$1/etc/group.new" "$1/etc/group"
    mkdir -p "$1"/{root,run,srv,tmp}
    # Compiled once here, and not in each container.
    chroot "$1" python3 -m compileall -q /usr/lib/python3 /usr/lib/python3.13 >/dev/null || true
}
