UPDATE payment SET unanswered = 'no answer within 5 s', asked_again = 1;
