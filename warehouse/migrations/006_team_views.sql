-- Team-games: what each side did, what was known of it before, and how two teams met before.
CREATE TABLE refresh_log (
    view text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seconds double precision NOT NULL,
    rows bigint NOT NULL,
    was_concurrent boolean NOT NULL
);
COMMENT ON TABLE refresh_log IS 'one row for each refresh of a materialised view';

-- Two rows a game: each side, with franchises, its margin and the score's points.
CREATE VIEW sides AS
SELECT
    g.season,
    g.game_id,
    g.date,
    own.franchise AS team,
    other.franchise AS opponent,
    s.at_home,
    s.points_for,
    s.points_against,
    s.points_for - s.points_against AS margin,
    s.points_for IS NOT NULL AS known
FROM games AS g
CROSS JOIN LATERAL (VALUES
    (g.home_team, g.away_team, TRUE, g.home_score, g.away_score),
    (g.away_team, g.home_team, FALSE, g.away_score, g.home_score)
) AS s (own, other, at_home, points_for, points_against)
INNER JOIN teams AS own ON own.code = s.own
INNER JOIN teams AS other ON other.code = s.other;

CREATE MATERIALIZED VIEW game_aggregates AS
SELECT
    p.season,
    p.game_id,
    p.posteam AS team,
    CASE WHEN p.posteam = g.home_team THEN g.away_team ELSE g.home_team END AS opponent,
    p.posteam = g.home_team AS at_home,
    count(*)::integer AS plays,
    sum(p.epa) AS epa,
    avg(p.epa) AS epa_play,
    CASE WHEN count(p.epa) > 0
        THEN coalesce(sum(p.epa) FILTER (WHERE p.play_class = 'pass'), 0)
    END AS pass_epa,
    CASE WHEN count(p.epa) > 0
        THEN coalesce(sum(p.epa) FILTER (WHERE p.play_class = 'run'), 0)
    END AS rush_epa,
    avg((p.epa > 0)::integer)::double precision AS success_rate,
    count(*) FILTER (WHERE p.explosive AND p.play_class = 'pass')::integer AS explosive_passes,
    count(*) FILTER (WHERE p.explosive AND p.play_class = 'run')::integer AS explosive_runs,
    avg(p.explosive::integer)::double precision AS explosive_rate,
    count(*) FILTER (WHERE p.interception OR p.fumble_lost)::integer AS turnovers
FROM plays AS p
INNER JOIN games AS g USING (game_id)
WHERE p.play_class IN ('pass', 'run') AND p.posteam IS NOT NULL
GROUP BY p.season, p.game_id, p.posteam, g.home_team, g.away_team;
CREATE UNIQUE INDEX game_aggregates_key ON game_aggregates (game_id, team);

-- Only games before the row's own: n counts a team's known games, k those of them before this one.
CREATE MATERIALIZED VIEW team_rolling_stats AS
WITH made AS (
    SELECT
        s.*,
        (sign(s.margin) + 1) / 2 AS win,
        a.plays,
        a.epa,
        a.epa_play,
        a.success_rate,
        a.explosive_rate,
        a.turnovers,
        b.epa AS epa_allowed,
        b.success_rate AS success_allowed,
        count(*) FILTER (WHERE s.known) OVER (
            PARTITION BY s.team ORDER BY s.date
            RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE GROUP
        )::integer AS k
    FROM sides AS s
    LEFT JOIN (game_aggregates AS a INNER JOIN teams AS at ON at.code = a.team)
        ON a.game_id = s.game_id AND at.franchise = s.team
    LEFT JOIN (game_aggregates AS b INNER JOIN teams AS bt ON bt.code = b.team)
        ON b.game_id = s.game_id AND bt.franchise = s.opponent
),

earlier AS (
    SELECT *, k + 1 AS n FROM made WHERE known
)

SELECT
    m.season,
    m.game_id,
    m.date,
    m.team,
    m.opponent,
    m.at_home,
    m.k AS games_prior,
    count(*) FILTER (WHERE e.season = m.season)::integer AS games_season,
    avg(e.points_for) FILTER (WHERE e.n > m.k - 3)::double precision AS points_for_last3,
    avg(e.points_for) FILTER (WHERE e.n > m.k - 5)::double precision AS points_for_last5,
    avg(e.points_for) FILTER (WHERE e.n > m.k - 10)::double precision AS points_for_last10,
    avg(e.points_for) FILTER (WHERE e.season = m.season)::double precision AS points_for_season,
    avg(e.points_against) FILTER (WHERE e.n > m.k - 3)::double precision AS points_against_last3,
    avg(e.points_against) FILTER (WHERE e.n > m.k - 5)::double precision AS points_against_last5,
    avg(e.points_against) FILTER (WHERE e.n > m.k - 10)::double precision AS points_against_last10,
    avg(e.points_against) FILTER (WHERE e.season = m.season)::double precision AS points_against_season,
    avg(e.margin) FILTER (WHERE e.n > m.k - 3)::double precision AS margin_last3,
    avg(e.margin) FILTER (WHERE e.n > m.k - 5)::double precision AS margin_last5,
    avg(e.margin) FILTER (WHERE e.n > m.k - 10)::double precision AS margin_last10,
    avg(e.margin) FILTER (WHERE e.season = m.season)::double precision AS margin_season,
    avg(e.win) FILTER (WHERE e.n > m.k - 3)::double precision AS win_last3,
    avg(e.win) FILTER (WHERE e.n > m.k - 5)::double precision AS win_last5,
    avg(e.win) FILTER (WHERE e.n > m.k - 10)::double precision AS win_last10,
    avg(e.win) FILTER (WHERE e.season = m.season)::double precision AS win_season,
    avg(e.plays) FILTER (WHERE e.n > m.k - 3)::double precision AS plays_last3,
    avg(e.plays) FILTER (WHERE e.n > m.k - 5)::double precision AS plays_last5,
    avg(e.plays) FILTER (WHERE e.n > m.k - 10)::double precision AS plays_last10,
    avg(e.plays) FILTER (WHERE e.season = m.season)::double precision AS plays_season,
    avg(e.epa) FILTER (WHERE e.n > m.k - 3)::double precision AS epa_last3,
    avg(e.epa) FILTER (WHERE e.n > m.k - 5)::double precision AS epa_last5,
    avg(e.epa) FILTER (WHERE e.n > m.k - 10)::double precision AS epa_last10,
    avg(e.epa) FILTER (WHERE e.season = m.season)::double precision AS epa_season,
    avg(e.epa_play) FILTER (WHERE e.n > m.k - 3)::double precision AS epa_play_last3,
    avg(e.epa_play) FILTER (WHERE e.n > m.k - 5)::double precision AS epa_play_last5,
    avg(e.epa_play) FILTER (WHERE e.n > m.k - 10)::double precision AS epa_play_last10,
    avg(e.epa_play) FILTER (WHERE e.season = m.season)::double precision AS epa_play_season,
    avg(e.success_rate) FILTER (WHERE e.n > m.k - 3)::double precision AS success_rate_last3,
    avg(e.success_rate) FILTER (WHERE e.n > m.k - 5)::double precision AS success_rate_last5,
    avg(e.success_rate) FILTER (WHERE e.n > m.k - 10)::double precision AS success_rate_last10,
    avg(e.success_rate) FILTER (WHERE e.season = m.season)::double precision AS success_rate_season,
    avg(e.explosive_rate) FILTER (WHERE e.n > m.k - 3)::double precision AS explosive_rate_last3,
    avg(e.explosive_rate) FILTER (WHERE e.n > m.k - 5)::double precision AS explosive_rate_last5,
    avg(e.explosive_rate) FILTER (WHERE e.n > m.k - 10)::double precision AS explosive_rate_last10,
    avg(e.explosive_rate) FILTER (WHERE e.season = m.season)::double precision AS explosive_rate_season,
    avg(e.turnovers) FILTER (WHERE e.n > m.k - 3)::double precision AS turnovers_last3,
    avg(e.turnovers) FILTER (WHERE e.n > m.k - 5)::double precision AS turnovers_last5,
    avg(e.turnovers) FILTER (WHERE e.n > m.k - 10)::double precision AS turnovers_last10,
    avg(e.turnovers) FILTER (WHERE e.season = m.season)::double precision AS turnovers_season,
    avg(e.epa_allowed) FILTER (WHERE e.n > m.k - 3)::double precision AS epa_allowed_last3,
    avg(e.epa_allowed) FILTER (WHERE e.n > m.k - 5)::double precision AS epa_allowed_last5,
    avg(e.epa_allowed) FILTER (WHERE e.n > m.k - 10)::double precision AS epa_allowed_last10,
    avg(e.epa_allowed) FILTER (WHERE e.season = m.season)::double precision AS epa_allowed_season,
    avg(e.success_allowed) FILTER (WHERE e.n > m.k - 3)::double precision AS success_allowed_last3,
    avg(e.success_allowed) FILTER (WHERE e.n > m.k - 5)::double precision AS success_allowed_last5,
    avg(e.success_allowed) FILTER (WHERE e.n > m.k - 10)::double precision AS success_allowed_last10,
    avg(e.success_allowed) FILTER (WHERE e.season = m.season)::double precision AS success_allowed_season
FROM made AS m
LEFT JOIN earlier AS e
    ON e.team = m.team AND e.n <= m.k AND (e.n > m.k - 10 OR e.season = m.season)
GROUP BY m.season, m.game_id, m.date, m.team, m.opponent, m.at_home, m.k;
CREATE UNIQUE INDEX team_rolling_stats_key ON team_rolling_stats (game_id, team);
CREATE INDEX team_rolling_stats_team ON team_rolling_stats (team, date);

CREATE MATERIALIZED VIEW team_matchup_history AS
SELECT
    s.season,
    s.game_id,
    s.date,
    s.team AS home_team,
    s.opponent AS away_team,
    count(e.game_id)::integer AS meetings,
    count(*) FILTER (WHERE e.margin > 0)::integer AS home_wins,
    count(*) FILTER (WHERE e.margin < 0)::integer AS away_wins,
    count(*) FILTER (WHERE e.margin = 0)::integer AS ties,
    avg(e.margin)::double precision AS home_margin_mean,
    max(e.date) AS last_date,
    (array_agg(e.margin ORDER BY e.date DESC) FILTER (WHERE e.game_id IS NOT NULL))[1]
        AS last_home_margin
FROM sides AS s
LEFT JOIN sides AS e
    ON e.team = s.team AND e.opponent = s.opponent AND e.known AND e.date < s.date
WHERE s.at_home
GROUP BY s.season, s.game_id, s.date, s.team, s.opponent;
CREATE UNIQUE INDEX team_matchup_history_key ON team_matchup_history (game_id);
