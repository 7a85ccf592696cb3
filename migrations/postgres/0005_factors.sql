-- The keys that secrets are sealed under, each with a text that only that key opens: proof that the key at hand is the right one.
create table secret_keys (
    key_id text primary key not null,
    sealed text not null,
    created_at bigint not null,
    -- When another key took its place. It stays for servers that still run with it, until the next change of keys.
    retired_at bigint
);

-- What a person shows besides the password: an authenticator app (its secret sealed) or a passkey (its public part).
create table factors (
    id uuid primary key not null,
    user_id uuid not null references users (id) on delete cascade,
    kind text not null check (kind in ('totp', 'passkey')),
    name text not null,
    secret text,
    credential text,
    credential_id text unique,
    -- The last step of 30 seconds whose code was used. No step counts twice, nor an earlier one.
    last_step bigint not null default 0,
    created_at bigint not null,
    last_used_at bigint,
    confirmed_at bigint,
    check ((kind = 'totp') = (secret is not null)),
    check ((kind = 'passkey') = (credential is not null)),
    check ((kind = 'passkey') = (credential_id is not null))
);
create index factors_user on factors (user_id, created_at);
create unique index factors_totp on factors (user_id) where kind = 'totp' and confirmed_at is not null;

create table recovery_codes (
    user_id uuid not null references users (id) on delete cascade,
    code_hash text not null,
    used_at bigint,
    primary key (user_id, code_hash)
);

-- The password was right, the second factor is to come. The session names the row; it is no sign-in.
create table pending_sign_ins (
    id uuid primary key not null,
    user_id uuid not null references users (id) on delete cascade,
    remember bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    tries bigint not null default 0
);
create index pending_sign_ins_expiry on pending_sign_ins (expires_at);
create index pending_sign_ins_user on pending_sign_ins (user_id);

-- What the server must remember between the two halves of a passkey's use. Deleted at use.
create table ceremonies (
    id uuid primary key not null,
    purpose text not null check (purpose in ('registration', 'check', 'sign_in')),
    user_id uuid references users (id) on delete cascade,
    state text not null,
    expires_at bigint not null
);
create index ceremonies_expiry on ceremonies (expires_at);
