set terminal svg size 1000,640 fixed font 'sans-serif,12' noenhanced name 'cmksim' background '#ffffff'
set encoding utf8
set locale 'C'
set decimalsign '.'
set style textbox opaque noborder fillcolor rgb '#ffffff' margins 0.4,0.2
set border linecolor rgb '#666666' linewidth 0.8
set tics textcolor rgb '#222222'
set tics scale 0.5
# middle of the bin (s), failed unseen, all failed, all jobs
$JOBS << EOD
1741003200 0 0 12
1741089600 0 0 12
1741176000 2 8 12
1741262400 2 8 12
1741348800 2 8 12
1741435200 0 0 12
1741521600 0 0 12
1741608000 0 0 12
1741694400 2 8 12
1741780800 2 8 12
EOD
set multiplot

# jobs
set lmargin at screen 0.1068
set rmargin at screen 0.968
set tmargin at screen 0.8328
set bmargin at screen 0.3781
set xrange [1740960000:1741824000]
set label 'two faults in ten days' at screen 0.02, screen 0.9625 left textcolor rgb '#222222' font ',17'
set label 'n = 120 jobs: 80 completed, 30 failed and reported, 10 failed with nobody told  ·  seed 18446744073709551615  ·  digest 0123456789ab…' at screen 0.02, screen 0.9266 left textcolor rgb '#666666'
set label 'virtual time (UTC)' at screen 0.4753, screen 0.0219 left textcolor rgb '#222222'
set object rectangle from screen 0.02, screen 0.882 to screen 0.042, screen 0.8992 front fillstyle solid noborder fillcolor rgb '#9ecbe8'
set label 'completed' at screen 0.049, screen 0.8906 left textcolor rgb '#222222'
set object rectangle from screen 0.1291, screen 0.882 to screen 0.1511, screen 0.8992 front fillstyle solid noborder fillcolor rgb '#d55e00'
set label 'failed and reported' at screen 0.1581, screen 0.8906 left textcolor rgb '#222222'
set object rectangle from screen 0.3072, screen 0.882 to screen 0.3292, screen 0.8992 front fillstyle solid noborder fillcolor rgb '#f0e442'
set object rectangle from screen 0.3072, screen 0.882 to screen 0.3292, screen 0.8992 front fillstyle transparent pattern 5 border rgb '#000000' fillcolor rgb '#000000'
set label 'failed, nobody told' at screen 0.3362, screen 0.8906 left textcolor rgb '#222222'
set arrow from 1741132800, graph 0 to 1741132800, screen 0.8414 nohead linewidth 1 linecolor rgb '#8c2f63'
set label 'revoke' at screen 0.282, screen 0.8477 left textcolor rgb '#8c2f63' front boxed
set arrow from 1741651200, graph 0 to 1741651200, screen 0.8414 nohead linewidth 1 linecolor rgb '#8c2f63'
set label 'never mended' at screen 0.7988, screen 0.8477 left textcolor rgb '#8c2f63' front boxed
set object rectangle from 1741132800, graph 0 to 1741392000, graph 1 behind fillcolor rgb '#cc79a7' fillstyle transparent solid 0.22 noborder
set object rectangle from 1741651200, graph 0 to 1741824000, graph 1 behind fillcolor rgb '#cc79a7' fillstyle transparent solid 0.22 noborder
set xtics nomirror ('' 1740960000, '' 1741046400, '' 1741132800, '' 1741219200, '' 1741305600, '' 1741392000, '' 1741478400, '' 1741564800, '' 1741651200, '' 1741737600, '' 1741824000)
set border 3
set ytics nomirror 5
set format y '%.0f'
set grid ytics back linecolor rgb '#dddddd' linewidth 0.8
set ylabel 'jobs ended per day' textcolor rgb '#222222'
set yrange [0:13.2]
unset key
set boxwidth 69120 absolute
plot $JOBS using 1:4 with boxes fillstyle solid noborder fillcolor rgb '#9ecbe8', \
     $JOBS using 1:3 with boxes fillstyle solid noborder fillcolor rgb '#d55e00', \
     $JOBS using 1:2 with boxes fillstyle solid noborder fillcolor rgb '#f0e442', \
     $JOBS using 1:2 with boxes fillstyle transparent pattern 5 border rgb '#000000' fillcolor rgb '#000000'

# encryption settings
unset label
unset arrow
unset object
unset ylabel
unset ytics
unset grid
unset key
set border 1
set lmargin at screen 0.1068
set rmargin at screen 0.968
set tmargin at screen 0.325
set bmargin at screen 0.2312
set xrange [1740960000:1741824000]
set object rectangle from 1741132800, graph 0 to 1741392000, graph 1 behind fillcolor rgb '#cc79a7' fillstyle transparent solid 0.22 noborder
set object rectangle from 1741651200, graph 0 to 1741824000, graph 1 behind fillcolor rgb '#cc79a7' fillstyle transparent solid 0.22 noborder
set yrange [0:3]
set label 'encryption settings of Backup vaults' at screen 0.1068, screen 0.3422 left textcolor rgb '#222222'
set label 'bv-1' at graph 0, first 2.5 right offset character -0.8, 0 textcolor rgb '#222222'
set label 'bv-2' at graph 0, first 1.5 right offset character -0.8, 0 textcolor rgb '#222222'
set label 'bv-3' at graph 0, first 0.5 right offset character -0.8, 0 textcolor rgb '#222222'
set xtics nomirror ('' 1740960000, '' 1741046400, '' 1741132800, '' 1741219200, '' 1741305600, '' 1741392000, '' 1741478400, '' 1741564800, '' 1741651200, '' 1741737600, '' 1741824000)
$ENABLED << EOD
1740960000 2.5 1740960000 1741132800 2.14 2.86
1741392000 2.5 1741392000 1741824000 2.14 2.86
1740960000 1.5 1740960000 1741824000 1.14 1.86
1740960000 0.5 1740960000 1741651200 0.14 0.86
EOD
$INCONSISTENT << EOD
1741132800 2.5 1741132800 1741392000 2.14 2.86
1741651200 0.5 1741651200 1741824000 0.14 0.86
EOD
set object rectangle from screen 0.7609, screen 0.3336 to screen 0.7829, screen 0.3508 front fillstyle solid noborder fillcolor rgb '#4db392'
set label 'Enabled' at screen 0.7899, screen 0.3422 left textcolor rgb '#222222'
set object rectangle from screen 0.8562, screen 0.3336 to screen 0.8782, screen 0.3508 front fillstyle solid noborder fillcolor rgb '#e69f00'
set object rectangle from screen 0.8562, screen 0.3336 to screen 0.8782, screen 0.3508 front fillstyle transparent pattern 4 border rgb '#000000' fillcolor rgb '#000000'
set label 'Inconsistent' at screen 0.8852, screen 0.3422 left textcolor rgb '#222222'
plot $ENABLED using 1:2:3:4:5:6 with boxxyerror fillstyle solid noborder fillcolor rgb '#4db392', \
     $INCONSISTENT using 1:2:3:4:5:6 with boxxyerror fillstyle solid noborder fillcolor rgb '#e69f00', \
     $INCONSISTENT using 1:2:3:4:5:6 with boxxyerror fillstyle transparent pattern 4 border rgb '#000000' fillcolor rgb '#000000'

# faults
unset label
unset arrow
unset object
unset ylabel
unset ytics
unset grid
unset key
set border 1
set lmargin at screen 0.1068
set rmargin at screen 0.968
set tmargin at screen 0.1781
set bmargin at screen 0.1156
set xrange [1740960000:1741824000]
set object rectangle from 1741132800, graph 0 to 1741392000, graph 1 behind fillcolor rgb '#cc79a7' fillstyle transparent solid 0.22 noborder
set object rectangle from 1741651200, graph 0 to 1741824000, graph 1 behind fillcolor rgb '#cc79a7' fillstyle transparent solid 0.22 noborder
set yrange [0:2]
set label 'faults, from their start to their end or remedy' at screen 0.1068, screen 0.1953 left textcolor rgb '#222222'
set label 'revoke' at graph 0, first 1.5 right offset character -0.8, 0 textcolor rgb '#222222'
set label 'never mended' at graph 0, first 0.5 right offset character -0.8, 0 textcolor rgb '#222222'
set label '3 d' at 1741392000, first 1.5 left offset character 0.8, 0 textcolor rgb '#666666'
set label '2 d, not ended' at 1741651200, first 0.5 right offset character -0.8, 0 textcolor rgb '#666666'
set xtics nomirror ("3 Mar\n2025" 1740960000, "4 Mar" 1741046400, "5 Mar" 1741132800, "6 Mar" 1741219200, "7 Mar" 1741305600, "8 Mar" 1741392000, "9 Mar" 1741478400, "10 Mar" 1741564800, "11 Mar" 1741651200, "12 Mar" 1741737600, "13 Mar" 1741824000)
$FAULTS << EOD
1741132800 1.5 1741132800 1741392000 1.14 1.86
1741651200 0.5 1741651200 1741824000 0.14 0.86
EOD
plot $FAULTS using 1:2:3:4:5:6 with boxxyerror fillstyle solid noborder fillcolor rgb '#cc79a7'

unset multiplot
