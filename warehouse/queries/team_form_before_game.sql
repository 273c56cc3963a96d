-- What was known of both sides before each game of the last season.
SELECT
    g.game_id,
    h.team AS home_team,
    h.margin_last5 AS home_margin_last5,
    a.team AS away_team,
    a.margin_last5 AS away_margin_last5,
    m.meetings,
    m.home_margin_mean
FROM games AS g
INNER JOIN team_rolling_stats AS h ON h.game_id = g.game_id AND h.at_home
INNER JOIN team_rolling_stats AS a ON a.game_id = g.game_id AND NOT a.at_home
INNER JOIN team_matchup_history AS m ON m.game_id = g.game_id
WHERE g.season = (SELECT max(season) FROM games)
ORDER BY g.game_id;
