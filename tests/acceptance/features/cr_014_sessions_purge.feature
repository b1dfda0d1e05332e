Feature: CR-014, sessions that nobody uses are deleted by a typed retention

  Scenario: Session cleanup uses retention policy
    Given the purge is configured for sessions of at most 24 hours
    And a session that was used 25 hours ago
    And a session that was used 23 hours ago
    When the scheduler runs `cronops sessions purge`
    Then the run succeeds
    And only the session of 23 hours ago is left

  Scenario: A retention that would log everybody out is refused
    Given the purge is configured for sessions of at most 0 hours
    And a session that was used 25 hours ago
    When the scheduler runs `cronops sessions purge`
    Then the command exits with 78
    And only the session of 25 hours ago is left

  Scenario: A directory that is not allowed is never purged
    Given the purge is configured for sessions of at most 24 hours
    And the directory was changed to one outside of what is allowed
    And a session that was used 25 hours ago
    When the scheduler runs `cronops sessions purge`
    Then the command exits with 78
    And it says "lies outside of what CRONOPS_SESSIONS__ALLOWED allows"
    And only the session of 25 hours ago is left

  Scenario: A link that is called like a session leads nowhere
    Given the purge is configured for sessions of at most 24 hours
    And a link among the sessions to a file of the shop
    When the scheduler runs `cronops sessions purge`
    Then the run succeeds
    And the file of the shop is still there

  Scenario: An operator looks before anything goes
    Given the purge is configured for sessions of at most 24 hours
    And a session that was used 25 hours ago
    When an operator runs `cronops sessions purge --dry-run`
    Then the run succeeds
    And it says "1 deleted"
    And it says "dry run: nothing was deleted"
    And only the session of 25 hours ago is left
