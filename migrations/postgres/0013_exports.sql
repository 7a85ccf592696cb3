-- What people ask for of their own data. Whoever holds the lease builds it; its pieces are there when it is ready.
create table exports (
    id uuid primary key not null,
    user_id uuid not null references users (id) on delete cascade,
    state text not null check (state in ('waiting', 'working', 'ready', 'failed')),
    done bigint not null default 0,
    total bigint not null default 0,
    bytes bigint not null default 0,
    attempts bigint not null default 0,
    created_at bigint not null,
    ready_at bigint,
    expires_at bigint not null,
    lease uuid,
    lease_until bigint
);
-- One at a time for each person.
create unique index exports_open on exports (user_id) where state in ('waiting', 'working');
create index exports_user on exports (user_id, created_at);
create index exports_expiry on exports (expires_at);

create table export_pieces (
    export_id uuid not null references exports (id) on delete cascade,
    position bigint not null,
    bytes bytea not null,
    primary key (export_id, position)
);
