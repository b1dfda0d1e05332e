Feature: CR-011, the shop's caches are cleared, and the books of it are kept

  Background:
    Given a shop with articles

  Scenario: Expired searches and old periods go; what is pinned stays
    Given a search that expired 2 hours ago
    And a search that is good
    And an article that was popular 100 days ago
    And an article that was popular 1 day ago
    And a pinned article of 400 days ago
    When the scheduler runs `cronops system clean-data`
    Then the run succeeds
    And 1 search is left
    And 2 popular articles are left
    And the pinned article is among them
    And the books say: article_search_cache 1 done, popular_article 1 done

  Scenario: An empty source does not empty the popular list
    Given a search that expired 2 hours ago
    And an article that was popular 200 days ago
    And an article that was popular 100 days ago
    When the scheduler runs `cronops system clean-data`
    Then the run fails
    And it says "popular: no period of popular articles since"
    And 2 popular articles are left
    And 0 searches are left
    When an operator runs `cronops system clean-data --accept-stale`
    Then the run succeeds
    And 1 popular article is left

  Scenario: A target that fails does not stop the other
    Given an article that was popular 100 days ago
    And an article that was popular 1 day ago
    But the cache of searches is missing
    When the scheduler runs `cronops system clean-data`
    Then the command exits with 78
    And it says "1 of 2 targets failed: search: there is no table or view"
    And 1 popular article is left
    And the books say: article_search_cache 0 failed, popular_article 1 done

  Scenario: The books can be read
    Given a search that expired 2 hours ago
    When the scheduler runs `cronops system clean-data`
    And an operator runs `cronops system cleanings --target article_search_cache`
    Then the command exits with 0
    And it says "article_search_cache"
