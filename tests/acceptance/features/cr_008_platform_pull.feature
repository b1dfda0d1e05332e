Feature: CR-008, orders are pulled from platforms, and none is lost or doubled

  Scenario: Orders are stored, enqueued and acknowledged once; another platform's failure is its own
    Given a shop with articles
    And the platform "tyre24" with 3 orders
    And the platform "check24", whose server answers 500
    When the scheduler runs `cronops platform pull-orders`
    Then the run fails
    And it says "1 of 2 platforms failed: check24"
    And 3 orders wait for the queue, and all 3 were acknowledged
    When the scheduler runs `cronops platform pull-orders tyre24`
    Then the run succeeds
    And 3 orders wait for the queue, and all 3 were acknowledged
    When the scheduler runs `cronops queue process --queue=general`
    Then the run succeeds
    And there are 3 sales orders
