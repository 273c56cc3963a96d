-- Third downs of each offence: yards to go, and how often a play gained them.
SELECT
    season,
    posteam,
    count(*) AS third_downs,
    avg(ydstogo) AS to_go,
    avg((yards_gained >= ydstogo)::integer) AS converted
FROM plays
WHERE down = 3 AND play_class IN ('pass', 'run') AND season = (SELECT max(season) FROM games)
GROUP BY season, posteam
ORDER BY season, posteam;
