-- The plays of one game in their order.
SELECT play_id, quarter, posteam, down, ydstogo, yardline_100, kind, yards_gained, epa
FROM plays
WHERE game_id = (SELECT max(game_id) FROM plays)
ORDER BY drive, play_id;
