-- One row, written to see whether something can be written.
create table write_checks (
    id bigint primary key not null check (id = 1),
    checked_at bigint not null
);
