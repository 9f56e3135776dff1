-- What was pushed long ago may leave the queue: the repository and the service know its keys for ever.
-- Locks: the queue is locked against writing while the index is made; on a node it is small. Breaking: no.

grant delete on usage_queue to hero_onboarding_app;
create index usage_queue__pushed on usage_queue (pushed_at) where pushed_at is not null and not is_in_conflict;
