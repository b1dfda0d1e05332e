Feature: CR-001, batches of image edits are taken in, and the queue works them

  Scenario: A batch becomes messages, once, and its images are made by the queue
    Given a shop with articles
    And a batch that adds an image to article A0000001, and one to an article there is not
    When the scheduler runs `cronops images enqueue-batches`
    Then the run succeeds
    And the batch lies in the archive
    And no image was made yet
    When the scheduler runs `cronops queue process --queue=general`
    Then the run succeeds
    And article A0000001 has an image
    And the other edit failed for the reason "the shop has no article NOBODY"
    When the same batch arrives again
    And the scheduler runs `cronops images enqueue-batches`
    Then no message waits

  Scenario: What is no batch is put aside with the reason, and harms nobody
    Given a shop with articles
    And a batch whose heading is another
    When the scheduler runs `cronops images enqueue-batches`
    Then the batch lies in quarantine, with a reason beside it
    And no message waits
