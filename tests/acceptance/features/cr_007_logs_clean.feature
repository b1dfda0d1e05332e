Feature: CR-007, the shop's log of changes is purged by a typed retention

  Background:
    Given a shop with articles

  Scenario: Only rows older than the retention go, and the books say how many
    Given changes are kept for 30 days
    And 3 changes of 31 days ago
    And 2 changes of 29 days ago
    When the scheduler runs `cronops logs clean`
    Then the run succeeds
    And 2 changes are left
    And the books say that 3 rows of log_update were deleted

  Scenario: A dry run only counts
    Given changes are kept for 30 days
    And 3 changes of 31 days ago
    And 2 changes of 29 days ago
    When an operator runs `cronops logs clean --dry-run`
    Then the run succeeds
    And it says "3 rows"
    And 5 changes are left

  Scenario Outline: A retention that would delete everything, or none at all, is refused
    Given changes are kept for <retention> days
    And 3 changes of 31 days ago
    When the scheduler runs `cronops logs clean`
    Then the command exits with 78
    And 3 changes are left

    Examples:
      | retention |
      | 0         |
      | -1        |
      | no        |

  Scenario: A log in which nothing is new is not deleted unasked
    Given changes are kept for 30 days
    And 3 changes of 31 days ago
    When the scheduler runs `cronops logs clean`
    Then the run fails
    And it says "all of it would go"
    And 3 changes are left
    When an operator runs `cronops logs clean --accept-mass-delete`
    Then the run succeeds
    And 0 changes are left

  Scenario: A row that somebody has locked is not waited for
    Given changes are kept for 30 days
    And 3 changes of 31 days ago
    And 2 changes of 29 days ago
    And a program of the shop that holds one of the oldest changes
    When the scheduler runs `cronops logs clean`
    Then the run succeeds
    And it says "left for the next run: 1"
    And 3 changes are left
