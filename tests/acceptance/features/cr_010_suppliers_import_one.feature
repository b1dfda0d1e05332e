Feature: CR-010, the stock of one supplier is imported when an operator says so

  Scenario: A file that was imported is skipped, unless it is to be imported anyway
    Given a shop with articles
    And the suppliers 12 and 23
    And supplier 12 has sent "A1;5", and supplier 23 has sent "A1;7"
    When an operator runs `cronops suppliers import-stock --supplier=23`
    Then the run succeeds
    And supplier 12 has nothing of A1, and supplier 23 has 7
    When somebody changes the stock of supplier 23 by hand, and it sends the same file again
    And an operator runs `cronops suppliers import-stock --supplier=23`
    Then supplier 12 has nothing of A1, and supplier 23 has 1
    When an operator runs `cronops suppliers import-stock 23 updateAnyway=1`
    Then the run succeeds
    And it says "is the old way to write it"
    And supplier 12 has nothing of A1, and supplier 23 has 7
