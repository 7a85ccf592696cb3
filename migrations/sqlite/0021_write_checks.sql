-- One row, written to see whether something can be written.
create table write_checks (
    id integer primary key not null check (id = 1),
    checked_at integer not null
);
