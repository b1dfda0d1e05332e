Feature: CR-006, the queue is worked, and an operator keeps the upper hand

  Scenario: A poisoned message is put aside, the others are done
    Given a message that fails each time, and two that succeed
    When the scheduler runs `cronops queue process --queue=general`
    Then the messages are CRASH, PROCESSED and PROCESSED
    When an operator runs `cronops queue retry 1 --reason 'mended'`
    Then the command exits with 0
    And the messages are NEW, PROCESSED and PROCESSED

  Scenario: What was at work when its worker died is done again
    Given a message that a worker took twenty minutes ago, and of which nothing was heard since
    When the scheduler runs `cronops queue process --queue=general`
    Then the run succeeds
    And the messages are PROCESSED

  Scenario: A paused queue rests
    Given a message that waits
    When an operator runs `cronops queue pause --queue general --reason 'the ERP is down'`
    And the scheduler runs `cronops queue process --queue=general`
    Then the messages are NEW
    When an operator runs `cronops queue resume --queue general`
    And the scheduler runs `cronops queue process --queue=general`
    Then the run succeeds
    And the messages are PROCESSED
