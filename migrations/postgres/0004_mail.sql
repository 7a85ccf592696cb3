alter table users add column email_verified_at bigint;
-- Set where the account may only sign in once its address is verified.
alter table users add column must_verify boolean not null default false;

-- Links that let somebody do one thing once. Only the SHA-256 of the token is kept.
create table links (
    id uuid primary key not null,
    token_hash bytea not null unique,
    purpose text not null check (purpose in ('verify_address', 'reset_password', 'change_address', 'invitation')),
    -- Whose account it concerns; nobody's yet for an invitation.
    user_id uuid references users (id) on delete cascade,
    -- The address that it is for; none for an invitation of whoever has the link.
    email text,
    -- What an invited person becomes.
    role text check (role in ('member', 'administrator')),
    uses_left bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);
create index links_user on links (user_id, purpose);
create index links_expiry on links (expires_at);

-- Mails to be sent, and for a while those that were. A mail without a next attempt was sent or given up.
create table mails (
    id uuid primary key not null,
    recipient text not null,
    subject text not null,
    text text not null,
    html text not null,
    created_at bigint not null,
    attempts bigint not null,
    next_attempt_at bigint,
    sent_at bigint,
    last_error text,
    -- The attempt that is being made, and until when nobody else may make one.
    lease uuid,
    lease_until bigint
);
create index mails_due on mails (next_attempt_at) where next_attempt_at is not null;
