-- Nearly every hold is updated once, when it is sold: room for that beside it keeps the update HOT.
ALTER TABLE hold SET (fillfactor = 50);
