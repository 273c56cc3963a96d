-- Whether favourites cover, and how far the closing spread is from the result.
SELECT
    season,
    count(*) AS games,
    avg(home_cover) AS home_cover_share,
    stddev_samp(cover_margin) AS residual_sd,
    avg((market_prob - (home_margin > 0)::integer) ^ 2) AS brier
FROM betting_features
WHERE home_margin IS NOT NULL AND spread_line IS NOT NULL
GROUP BY season
ORDER BY season;
