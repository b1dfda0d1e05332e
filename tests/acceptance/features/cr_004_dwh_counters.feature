Feature: CR-004, page hits are counted, whenever they come

  Scenario: A hit that is committed late is counted late, and nothing is counted twice
    Given a shop with 2 hits of yesterday
    And another hit of yesterday, written before those, that is not committed yet
    When the scheduler runs `cronops dwh update-counters`
    Then the run succeeds
    And yesterday has 2 views
    When the hit is committed at last
    And the scheduler runs `cronops dwh update-counters`
    Then the run succeeds
    And yesterday has 3 views
    When the scheduler runs `cronops dwh update-counters`
    Then yesterday has 3 views

  Scenario: A rebuild does not forget what the shop has deleted
    Given a shop with 2 hits of yesterday
    And they are counted, and then deleted by the shop
    When an operator runs `cronops dwh update-counters --rebuild --from 2000-01-01`
    Then the command exits with 1
    And it says "--accept-loss"
    And yesterday has 2 views
