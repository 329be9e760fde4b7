;; Snappy's block format, unpacked within one memory: the output from byte 0 on, the input behind it.
;; Source: google/snappy, format_description.txt.
;; Steps of 16 bytes write up to 15 behind what they copy: as many lie between output and input, and
;; behind the input, where a step may read as far.
(module
  (memory (export "memory") 1)

  ;; Unpacks the elements from $at to $end to $size bytes; answers the bytes written, all that the
  ;; elements hold, or what is wrong:
  ;; -1 a literal is cut off, -2 a copy is cut off, -3 more than $size bytes, -4 a copy from nowhere.
  (func (export "expand") (param $at i32) (param $end i32) (param $size i32) (result i32)
    (local $to i32) (local $stop i32) (local $from i32)
    (local $tag i32) (local $length i32) (local $offset i32) (local $width i32)
    (loop $element
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $to))))
      (local.set $tag (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $length (i32.shr_u (local.get $tag) (i32.const 2)))

      (if (i32.eqz (i32.and (local.get $tag) (i32.const 3)))
        (then
          ;; A literal. Its length less one stands in the tag, or in one to four bytes behind it.
          (if (i32.ge_u (local.get $length) (i32.const 60))
            (then
              (local.set $width (i32.sub (local.get $length) (i32.const 59)))
              (if (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (local.get $width))
                (then (return (i32.const -1))))
              (local.set $length
                (i32.and
                  (i32.load align=1 (local.get $at))
                  (i32.shr_u
                    (i32.const -1)
                    (i32.sub (i32.const 32) (i32.shl (local.get $width) (i32.const 3))))))
              (local.set $at (i32.add (local.get $at) (local.get $width)))))
          (if (i32.ge_u (local.get $length) (i32.sub (local.get $end) (local.get $at)))
            (then (return (i32.const -1))))
          (if (i32.ge_u (local.get $length) (i32.sub (local.get $size) (local.get $to)))
            (then (return (i32.const -3))))
          (local.set $length (i32.add (local.get $length) (i32.const 1)))
          (local.set $from (local.get $at))
          (local.set $stop (i32.add (local.get $to) (local.get $length)))
          (loop $step
            (v128.store align=1 (local.get $to) (v128.load align=1 (local.get $from)))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $to (i32.add (local.get $to) (i32.const 16)))
            (br_if $step (i32.lt_u (local.get $to) (local.get $stop))))
          (local.set $to (local.get $stop))
          (local.set $at (i32.add (local.get $at) (local.get $length)))
          (br $element)))

      ;; A copy: its length, and how far back it begins, in one byte more, two or four.
      (local.set $width (i32.shl (i32.const 1) (i32.sub (i32.and (local.get $tag) (i32.const 3)) (i32.const 1))))
      (if (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (local.get $width))
        (then (return (i32.const -2))))
      (if (i32.eq (local.get $width) (i32.const 1))
        (then
          (local.set $length (i32.add (i32.and (local.get $length) (i32.const 7)) (i32.const 4)))
          (local.set $offset
            (i32.or
              (i32.shl (i32.and (local.get $tag) (i32.const 0xe0)) (i32.const 3))
              (i32.load8_u (local.get $at)))))
        (else
          (local.set $length (i32.add (local.get $length) (i32.const 1)))
          (local.set $offset
            (if (result i32) (i32.eq (local.get $width) (i32.const 2))
              (then (i32.load16_u align=1 (local.get $at)))
              (else (i32.load align=1 (local.get $at)))))))
      (local.set $at (i32.add (local.get $at) (local.get $width)))
      ;; 0 becomes the largest number.
      (if (i32.ge_u (i32.sub (local.get $offset) (i32.const 1)) (local.get $to))
        (then (return (i32.const -4))))
      (if (i32.gt_u (local.get $length) (i32.sub (local.get $size) (local.get $to)))
        (then (return (i32.const -3))))
      (local.set $from (i32.sub (local.get $to) (local.get $offset)))
      (local.set $stop (i32.add (local.get $to) (local.get $length)))
      (if (i32.ge_u (local.get $offset) (i32.const 16))
        (then
          (loop $step
            (v128.store align=1 (local.get $to) (v128.load align=1 (local.get $from)))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $to (i32.add (local.get $to) (i32.const 16)))
            (br_if $step (i32.lt_u (local.get $to) (local.get $stop)))))
        (else
          ;; Byte by byte: source and target overlap, and the pattern repeats.
          (loop $step
            (i32.store8 (local.get $to) (i32.load8_u (local.get $from)))
            (local.set $from (i32.add (local.get $from) (i32.const 1)))
            (local.set $to (i32.add (local.get $to) (i32.const 1)))
            (br_if $step (i32.lt_u (local.get $to) (local.get $stop))))))
      (local.set $to (local.get $stop))
      (br $element))
    unreachable))
