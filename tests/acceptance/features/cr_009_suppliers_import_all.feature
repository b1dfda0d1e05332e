Feature: CR-009, the stock of all suppliers is imported, each under a lock of its own

  Scenario: A supplier whose file is broken does not hold up the others, and loses nothing
    Given a shop with articles
    And the suppliers 12 and 23
    And supplier 12 has sent "A1;5", and supplier 23 has sent "A1;7"
    When the scheduler runs `cronops suppliers import-stock --all`
    Then the run succeeds
    When supplier 12 has sent "A1;6", and supplier 23 has sent what is no table
    And the scheduler runs `cronops suppliers import-stock --all`
    Then the run fails
    And it says "23"
    And supplier 12 has 6 of A1, and supplier 23 has 7
