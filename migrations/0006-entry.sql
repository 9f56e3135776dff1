-- The check on an entry's amount, made in 0005 without a look at the rows there are, is held against them.
-- Locks: SHARE UPDATE EXCLUSIVE on entry for one pass over it: reading and posting go on. That is why it is a migration of its own.
-- Breaking: no.

alter table entry validate constraint entry__amount_is_not_zero;
