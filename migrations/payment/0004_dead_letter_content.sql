-- A message that is dead-lettered again is found by its content.
CREATE INDEX dead_letter_content ON dead_letter (topic, md5(body));
