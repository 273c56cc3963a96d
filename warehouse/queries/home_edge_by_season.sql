-- How often the home team wins, and by how much, season by season.
SELECT
    season,
    count(*) AS games,
    avg((home_score > away_score)::integer) AS home_win_share,
    avg(home_score - away_score) AS home_margin
FROM games
WHERE home_score IS NOT NULL AND NOT neutral
GROUP BY season
ORDER BY season;
