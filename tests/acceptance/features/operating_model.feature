Feature: The operating model of scheduled jobs, and who answers for them

  Scenario: Scheduled jobs run only through command entry points
    Given the rendered manifests of production are applied
    And an endpoint stands where the HTTP wrapper stood
    When the schedule "platform-pull-orders" is triggered
    Then a command ran, and its run is recorded under the schedule
    And nothing was asked of the endpoint
    And the pod starts nothing that listens

  Scenario: The queue processor prevents overlap
    Given a run of the general queue is at work on a message
    And another message waits
    When the scheduler runs `cronops queue process --queue=general`
    Then the run is skipped
    And it says "locked by run"
    And the waiting message was not touched
    And the first run is still at work

  Scenario: The runtime owner and the domain owner are both notified of a failure
    Given alerts to "Shared Ops" and "Platform Export" lead to two endpoints
    And a platform whose server answers 500
    When the schedule "platform-pull-orders" runs `cronops platform pull-orders`
    Then the run fails
    And "Shared Ops" received one message that says "cronops runs show"
    And "Platform Export" received one message that says "What it means:"
    And the two messages differ

  Scenario: Suppliers' stock is imported for all suppliers, or for one
    Given a shop with articles
    And active suppliers 12, 23 and 31, and the inactive supplier 40
    And each of them has sent a file
    When the scheduler runs `cronops suppliers import-stock --all`
    Then the run succeeds
    And stock was imported of the suppliers 12, 23, 31
    When each of them has sent a newer file
    And an operator runs `cronops suppliers import-stock --supplier=23`
    Then the run succeeds
    And only the newer file of supplier 23 was imported

  Scenario: Session cleanup uses the retention policy
    Given sessions are purged that nobody has used for 24 hours
    And sessions that were used 23, 25 and 1000 hours ago
    When the scheduler runs `cronops sessions purge`
    Then the run succeeds
    And only the session that was used 23 hours ago is left
