-- The ten players with most passing yards of each season.
SELECT season, place, name, teams, passing_yards, passing_tds, interceptions
FROM (
    SELECT
        s.*,
        row_number() OVER (
            PARTITION BY season ORDER BY passing_yards DESC, player_id
        ) AS place
    FROM player_season_stats AS s
) AS ranked
WHERE place <= 10
ORDER BY season, place;
