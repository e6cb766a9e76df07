#include "CLinux.h"

#include <errno.h>
#include <linux/fscrypt.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>

_Static_assert(FSCRYPT_KEY_IDENTIFIER_SIZE == ZP_KEY_IDENTIFIER_SIZE, "a key's name is as long as the kernel's");

int zp_encrypt_directory(int directory, const char **step)
{
    enum { size = 64 };
    _Alignas(struct fscrypt_add_key_arg) uint8_t memory[sizeof(struct fscrypt_add_key_arg) + size] = {0};
    struct fscrypt_add_key_arg *key = (void *)memory;
    key->key_spec.type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER;
    key->raw_size = size;
    *step = "getrandom";
    if (getrandom(key->raw, size, 0) != size)
        return -errno;
    *step = "ioctl(FS_IOC_ADD_ENCRYPTION_KEY)";
    int result = ioctl(directory, FS_IOC_ADD_ENCRYPTION_KEY, key);
    int error = errno;
    explicit_bzero(key->raw, size);
    if (result < 0)
        return -error;
    struct fscrypt_policy_v2 policy = {
        .version = FSCRYPT_POLICY_V2,
        .contents_encryption_mode = FSCRYPT_MODE_AES_256_XTS,
        .filenames_encryption_mode = FSCRYPT_MODE_AES_256_CTS,
        .flags = FSCRYPT_POLICY_FLAGS_PAD_32,
    };
    const uint8_t *identifier = key->key_spec.u.identifier;
    memcpy(policy.master_key_identifier, identifier, ZP_KEY_IDENTIFIER_SIZE);
    *step = "ioctl(FS_IOC_SET_ENCRYPTION_POLICY)";
    if (ioctl(directory, FS_IOC_SET_ENCRYPTION_POLICY, &policy) == 0)
        return 0;
    error = errno;
    zp_forget_key(directory, identifier);
    return -error;
}

int zp_encryption_key(int directory, uint8_t *identifier)
{
    struct fscrypt_get_policy_ex_arg policy = {.policy_size = sizeof policy.policy};
    if (ioctl(directory, FS_IOC_GET_ENCRYPTION_POLICY_EX, &policy) < 0)
        return -errno;
    if (policy.policy.version != FSCRYPT_POLICY_V2)
        return -EINVAL;
    memcpy(identifier, policy.policy.v2.master_key_identifier, ZP_KEY_IDENTIFIER_SIZE);
    return 0;
}

int zp_forget_key(int file, const uint8_t *identifier)
{
    struct fscrypt_remove_key_arg key = {.key_spec.type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER};
    memcpy(key.key_spec.u.identifier, identifier, ZP_KEY_IDENTIFIER_SIZE);
    return ioctl(file, FS_IOC_REMOVE_ENCRYPTION_KEY, &key) < 0 ? -errno : 0;
}
