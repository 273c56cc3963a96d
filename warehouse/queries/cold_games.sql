-- Points in the cold, against what the venue is used to.
SELECT
    width_bucket(f.temp_c, -20, 40, 6) AS temperature_class,
    count(*) AS games,
    avg(g.home_score + g.away_score) AS points,
    avg(f.venue_total_mean) AS venue_points
FROM venue_weather_features AS f
INNER JOIN games AS g ON g.game_id = f.game_id
WHERE f.temp_c IS NOT NULL AND g.home_score IS NOT NULL
GROUP BY temperature_class
ORDER BY temperature_class;
