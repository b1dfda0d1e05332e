Feature: CR-005, old finished messages are deleted by a typed retention

  Scenario: Only finished messages older than the retention go
    Given messages are kept for 30 days after they were finished
    And a message that was finished 31 days ago
    And a message that was finished 29 days ago
    And a message that crashed 31 days ago
    When the scheduler runs `cronops queue clean`
    Then the run succeeds
    And 2 messages are left
    And the message that crashed is among them

  Scenario: A retention that would delete everything is refused
    Given messages are kept for 0 days after they were finished
    And a message that was finished 31 days ago
    When the scheduler runs `cronops queue clean`
    Then the command exits with 78
    And 1 message is left
