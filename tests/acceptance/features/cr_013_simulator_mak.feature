Feature: CR-013, MAK gets a whole set of files or none

  Scenario: A set goes by SFTP, the manifest last, with no password to be seen
    Given vehicles and wheels for the simulator
    And MAK takes files by SFTP
    When the scheduler runs `cronops simulator send-mak-files`
    Then the run succeeds
    And MAK has the three files that its manifest names
    And the password is nowhere in what the command said
    When the scheduler runs `cronops simulator send-mak-files`
    Then the run succeeds
    And it says "1 unchanged"

  Scenario: A connection that is cut leaves nothing behind a manifest
    Given vehicles and wheels for the simulator
    And MAK takes files by SFTP, but cuts the connection before a file has its name
    When the scheduler runs `cronops simulator send-mak-files`
    Then the run fails
    And MAK has no manifest
    When MAK's server is in order again
    And an operator runs `cronops simulator send-mak-files`
    Then the run succeeds
    And MAK has the three files that its manifest names

  Scenario: No vehicles are no reason to empty the simulator
    Given a shop with articles
    And MAK takes files by SFTP
    When the scheduler runs `cronops simulator send-mak-files --force`
    Then the command exits with 65
    And MAK has no manifest
