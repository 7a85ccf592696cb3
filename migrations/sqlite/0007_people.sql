-- The name as lists of people sort it and searches find it: in lower case, byte by byte.
alter table users add column name_key text not null default '';
update users set name_key = lower(name);
create index users_name on users (name_key, id);

-- When somebody was last there.
create index sign_ins_seen on sign_ins (user_id, last_used_at);

-- Second factors that are said to be lost. They are removed when the notice is over, unless their owner refuses.
create table factor_removals (
    user_id blob primary key not null references users (id) on delete cascade,
    -- The administrator who asked. No foreign key: the notice outlives that account.
    asked_by blob not null,
    created_at integer not null,
    due_at integer not null
);
create index factor_removals_due on factor_removals (due_at);
