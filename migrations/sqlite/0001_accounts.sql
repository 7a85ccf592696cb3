create table users (
    id blob primary key not null,
    email text not null,
    email_key text not null unique,
    name text not null,
    password_hash text not null,
    role text not null check (role in ('member', 'administrator')),
    created_at integer not null,
    disabled_at integer
);

-- One row: the account that set this installation up. Its primary key lets exactly one first account win.
create table installation (
    singleton integer primary key check (singleton = 1),
    administrator_id blob not null references users (id),
    created_at integer not null
);

-- The row decides whether a session is signed in; the session record only names it.
create table sign_ins (
    id blob primary key not null,
    user_id blob not null references users (id) on delete cascade,
    created_at integer not null,
    last_used_at integer not null,
    idle_seconds integer not null,
    ends_at integer not null,
    ended_at integer,
    user_agent text not null,
    address text not null
);
create index sign_ins_user on sign_ins (user_id, created_at);

create table sessions (
    id blob primary key not null,
    record text not null,
    expires_at integer not null
);
create index sessions_expiry on sessions (expires_at);

create table throttles (
    key text primary key not null,
    tries integer not null,
    ends_at integer not null
);
create index throttles_end on throttles (ends_at);
