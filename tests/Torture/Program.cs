using System.Globalization;
using DicomServerless.Shared;

// usage: dotnet run -c Release --project tests/Torture -- [KILLS] [SECONDS] [SEED]
// Many clients store into one study, re-send and delete, while events come doubled and out of order, a rebuild runs and the function app is killed KILLS times.
var kills = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 200;
var seconds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 60;
var seed = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : Environment.TickCount;
Console.WriteLine($"kills {kills}, at least {seconds} s, seed {seed}");
var tally = await StudyTorture.RunAsync(new TortureOptions { Kills = kills, Duration = TimeSpan.FromSeconds(seconds), Seed = seed, Say = Console.WriteLine });
Console.WriteLine(tally);
return tally.Problems.Count == 0 ? 0 : 1;
