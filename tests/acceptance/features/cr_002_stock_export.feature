Feature: CR-002, prices and stock are exported, and delivered where they have changed

  Scenario: An export is priced, delivered by SFTP, and not sent again while it is the same
    Given a shop with articles and what suppliers have of them
    And an export to a platform that takes files by SFTP
    When the scheduler runs `cronops stock export`
    Then the run succeeds
    And the platform has the file, with prices above what suppliers ask
    When the scheduler runs `cronops stock export`
    Then the run succeeds
    And it says "1 unchanged"

  Scenario: The last good file can be sent again; without one that is said
    Given a shop with articles and what suppliers have of them
    And an export to a platform that takes files by SFTP
    When an operator runs `cronops stock export --export 7 --skip-generation`
    Then the command exits with 65
    And it says "there is no good file yet"
    When an operator runs `cronops stock export --export 7`
    And the platform loses the file
    And an operator runs `cronops stock export export=7 skipGeneration=1`
    Then the run succeeds
    And it says "is the old way to write it"
    And the platform has the file, with prices above what suppliers ask
