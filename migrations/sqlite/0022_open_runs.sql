-- How many runs of a person are open or being executed.
create index runs_open_owner on runs (owner_id, state) where state <> 'ended';
