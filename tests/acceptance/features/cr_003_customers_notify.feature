Feature: CR-003, customers hear in time that their licence ends

  Scenario: The tightest reminder that is due is sent, and sent once
    Given a tenant whose customers' licences end in 15, 14, 5 and 1 days
    When the scheduler runs `cronops customers notify-license-expiration`
    Then the run succeeds
    And the customers whose licences end in 14, 5 and 1 days have got a mail each
    When the scheduler runs `cronops customers notify-license-expiration`
    Then the run succeeds
    And the customers whose licences end in 14, 5 and 1 days have got a mail each

  Scenario: A mail whose answer is lost is not sent again unless a person says so
    Given a tenant whose customers' licences end in 14 days
    And the mail server takes one mail, and is cut off before it can say so
    When the scheduler runs `cronops customers notify-license-expiration`
    Then the run fails
    When an operator runs `cronops customers reminders --state unknown`
    Then it says "unknown"
    When the scheduler runs `cronops customers notify-license-expiration`
    Then the run succeeds
    And the customers whose licences end in 14 days have got a mail each
    When an operator runs `cronops customers notify-license-expiration --resend-unknown`
    Then the run succeeds
    And the customer whose licence ends in 14 days has got the same mail twice

  Scenario: An operator looks at a mail before anybody gets it
    Given a tenant whose customers' licences end in 14 days
    When an operator runs `cronops customers notify-license-expiration --preview 14`
    Then the run succeeds
    And it says "Ihre Lizenz"
    And no mail was sent
