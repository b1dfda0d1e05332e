"""The schedules in a cluster: compared, applied, held back, triggered, followed, and audited.

Objects of the API are plain JSON here, as the server sent them. Only `cronops.cluster.api` knows
the package ``kubernetes``; everything that decides something is pure and gets its objects handed.
"""
