-- What people ask for of their own data. Whoever holds the lease builds it; its pieces are there when it is ready.
create table exports (
    id blob primary key not null,
    user_id blob not null references users (id) on delete cascade,
    state text not null check (state in ('waiting', 'working', 'ready', 'failed')),
    done integer not null default 0,
    total integer not null default 0,
    bytes integer not null default 0,
    attempts integer not null default 0,
    created_at integer not null,
    ready_at integer,
    expires_at integer not null,
    lease blob,
    lease_until integer
);
-- One at a time for each person.
create unique index exports_open on exports (user_id) where state in ('waiting', 'working');
create index exports_user on exports (user_id, created_at);
create index exports_expiry on exports (expires_at);

create table export_pieces (
    export_id blob not null references exports (id) on delete cascade,
    position integer not null,
    bytes blob not null,
    primary key (export_id, position)
);
