Feature: CR-012, vehicles follow DriveRight in stages that can be resumed

  Scenario: The report is mailed before the vehicles change, and each stage is done once
    Given DriveRight has 10 vehicles
    When the scheduler runs `cronops driveright sync`
    Then the run succeeds
    And we have 10 active vehicles
    And the report was mailed once
    When the scheduler runs `cronops driveright sync`
    Then the run succeeds
    And the report was mailed once

  Scenario: A sync that fails goes on at the stage that failed
    Given DriveRight has 10 vehicles
    And the mail server takes nothing
    When the scheduler runs `cronops driveright sync`
    Then the run fails
    And we have 0 active vehicles
    When an operator runs `cronops driveright sync --status`
    Then it says "email"
    When the mail server is in order again
    And the scheduler runs `cronops driveright sync --from-stage email`
    Then the run succeeds
    And DriveRight was asked for its vehicles only once
    And we have 10 active vehicles
    And the report was mailed once

  Scenario: Vehicles that vanish by the dozen are held until a person has looked
    Given DriveRight has 10 vehicles
    And they are synced, and DriveRight has only 4 of them from then on
    When the scheduler runs `cronops driveright sync`
    Then the run fails
    And it says "6 of 10 vehicles would be retired"
    And we have 10 active vehicles
    When an operator runs `cronops driveright sync --accept-changes`
    Then the run succeeds
    And we have 4 active vehicles
