-- The last message of the path that was shown below this message when another version of it was chosen, so that choosing
-- this version again shows that path. Not a foreign key, like `parent_id`.
alter table messages add column last_leaf_id blob;
